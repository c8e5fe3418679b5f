//! `sites.csv`, as it comes out of a spreadsheet, made into site files. Pure.
//!
//! One row a point; the first row names the columns, in any order; what is left empty takes its default. Separated by
//! comma, semicolon or tab; UTF-8, with or without byte-order mark.
//!
//! | column | is |
//! |---|---|
//! | `site_id` | the site; rows of one site need not stand together. Needed |
//! | `site_name` `region` `industry` `category` `positive_list` `grade` `time_zone` | of the site: in one of its rows is enough |
//! | `point_id` `kind` `rated_kw` | of the point, see a site file. Needed |
//! | `point_name` | as people call it |
//! | `process` | the processes it belongs to, by id, with spaces between |
//! | `group` `need` | treatment points of a process with the same group stand in for each other; `need` of them must run. Without a group each one must |
//! | `meter` | id of its meter; the point's id where it is empty |
//! | `gateway` `period` `ct` `pt` | of the meter, see a site file |
//! | `device` | over MQTT: the device's own name |
//! | `link` `unit` `profile` | over Modbus |
//! | `running_above` `running_below` | thresholds: `5 kW` or `15%` |
//!
//! ```csv
//! site_id,site_name,region,point_id,kind,rated_kw,process,group,need,link,unit,profile,ct
//! hongda,Hongda Furniture,Gaocheng,booth-1,production,22,coating,,,bus-1,1,chint-dtsu666,20
//! hongda,,,fan-a,treatment,30,coating,fans,1,bus-1,2,chint-dtsu666,20
//! hongda,,,fan-b,treatment,30,coating,fans,,bus-1,3,chint-dtsu666,20
//! ```

/// What the command line says of the columns.
pub const CSV_HELP: &str = "\
The first row names the columns, in any order; what is left empty takes its default. One row a point.

  site_id                        the site (needed)
  site_name region industry      of the site, in one of its rows: category is general, key or special;
  category positive_list         grade is leading, A, B, C, D or ungraded
  grade time_zone
  point_id kind rated_kw         of the point (needed); kind is production, treatment, total or auxiliary
  point_name                     as people call it
  process                        the processes it belongs to, with spaces between
  group need                     treatment of the same group stands in for each other, `need` must run
  meter gateway period ct pt     of its meter; the meter is called as the point where it is empty
  device                         over MQTT: the device's own name
  link unit profile              over Modbus
  running_above running_below    thresholds: 5 kW or 15%

site_id,site_name,point_id,kind,rated_kw,process,link,unit,profile,ct
hongda,Hongda Furniture,booth-1,production,22,coating,bus-1,1,chint-dtsu666,20
hongda,,fan-a,treatment,30,coating,bus-1,2,chint-dtsu666,20";

mod columns;
mod table;
mod write;

use super::problem::Problems;
use table::Sheet;

/// Makes site files of a CSV: file names and their texts, in the order in which the sites appear.
///
/// # Errors
/// All that is wrong in it, with line and column. References to links and profiles are not looked up: that is done when
/// the files are loaded.
pub fn sites(file: &str, csv: &[u8]) -> Result<Vec<(String, String)>, Problems> {
    let mut sheet = Sheet::read(file, csv);
    let sites = sheet.sites();
    if sheet.problems.is_empty() {
        return Ok(sites.iter().map(|site| (format!("{}.toml", site.id), write::site(site))).collect());
    }
    sheet.problems.sort_by_key(|p| (p.line, p.column));
    Err(Problems { errors: sheet.problems, warnings: Vec::new() })
}

#[cfg(test)]
mod tests;
