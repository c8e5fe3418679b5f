//! The mappings that come with the program, as the configuration reads them.

use submeterd::config::library;
use submeterd::config::problem::Report;
use submeterd::model::mapping::Mapping;

/// A mapping by name; it must be free of problems.
pub fn mapping(name: &str) -> Mapping {
    let mut report = Report::default();
    let mut all = library::mappings(&[], &mut report);
    let found = all.remove(name).unwrap_or_else(|| panic!("no mapping {name}: {report:?}"));
    assert!(report.is_clean(), "{report:?}");
    found
}
