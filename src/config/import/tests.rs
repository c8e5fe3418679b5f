//! CSV in, site files out.

use super::sites;
use crate::config::texts::{Text, Texts};
use crate::config::{Loaded, from_texts};

const MAIN: &str = "[[modbus.links]]\nname = 'bus-1'\ntransport = 'serial'\ndevice = '/dev/ttyS0'\n\
    [[mqtt.brokers]]\nname = 'city'\nhost = 'localhost'\n[[mqtt.brokers.subscriptions]]\npattern = 'a/{device}'\n";

const GOOD: &str = "\
site_id,site_name,region,point_id,kind,rated_kw,process,group,need,link,unit,profile,ct,device
hongda,\"Hongda \"\"H\"\" Furniture, 2nd\",藁城,booth-1,production,22.5,coating drying,,,bus-1,1,chint-dtsu666,20,
other,,,line,production,5,p,,,,,,,plug-1
hongda,,,fan-a,treatment,30,coating drying,fans,1,bus-1,2,chint-dtsu666,20,
hongda,,,fan-b,treatment,30,coating drying,fans,,bus-1,3,chint-dtsu666,20,

other,,,fan,treatment,2,p,,,,,,,plug-2
hongda,,,burner,treatment,45,coating,,,bus-1,4,chint-dtsu666,20,
";

fn load(files: Vec<(String, String)>) -> Loaded {
    let sites = files.into_iter().map(|(name, text)| Text { name, text }).collect();
    let main = Some(Text { name: "submeterd.toml".into(), text: MAIN.into() });
    from_texts(&Texts { main, sites, ..Texts::default() }).unwrap_or_else(|p| panic!("{p}"))
}

#[test]
fn what_is_written_loads_and_says_what_the_sheet_said() {
    let files = sites("sites.csv", GOOD.as_bytes()).unwrap();
    assert_eq!(files.iter().map(|f| &*f.0).collect::<Vec<_>>(), ["hongda.toml", "other.toml"]);
    let loaded = load(files);
    assert_eq!(loaded.warnings, []);
    let site = &loaded.config.registry.sites[0];
    assert_eq!((&*site.name, &*site.region), ("Hongda \"H\" Furniture, 2nd", "藁城"));
    assert_eq!(site.points[0].rated_w, 22_500.0);
    let coating = &site.processes[0];
    assert_eq!((&*coating.id, &coating.production[..]), ("coating", &[0][..]));
    let groups: Vec<_> = coating.treatment.iter().map(|g| (g.points.clone(), g.need)).collect();
    assert_eq!(groups, [(vec![1, 2], 1), (vec![3], 1)]);
    assert_eq!(site.processes[1].treatment.len(), 1);
    assert_eq!(loaded.config.registry.meters[0].ct, 20.0);
}

#[test]
fn byte_order_mark_semicolons_and_tabs_make_no_difference() {
    let plain = sites("a", GOOD.replace(", 2nd", "").as_bytes()).unwrap();
    for delimiter in [";", "\t"] {
        let other = format!("\u{feff}{}", GOOD.replace(", 2nd", "").replace(',', delimiter));
        assert_eq!(sites("a", other.as_bytes()).unwrap(), plain);
    }
}

#[test]
fn every_mistake_is_told_with_line_and_column() {
    let bad = "\
site_id,point_id,kind,rated_kw,proces,need,unit,link,site_name
s 1,a,production,22,,,,,
s1,a,treatmnt,\"7,5\",,,,,A
s1,a,treatment,5,,2,300,bus-1,B
s1,,treatment,5,,,,,,extra
";
    let problems = sites("sites.csv", bad.as_bytes()).unwrap_err();
    let told: Vec<_> =
        problems.errors.iter().map(|p| (p.line.unwrap(), p.column.unwrap_or(0), &*p.key)).collect();
    let expected = [
        (1, 5, "proces"),
        (2, 1, "site_id"),
        (3, 3, "kind"),
        (3, 4, "rated_kw"),
        (4, 2, "point_id"),
        (4, 6, "need"),
        (4, 7, "unit"),
        (4, 9, "site_name"),
        (4, 10, "profile"),
        (5, 2, "point_id"),
        (5, 10, ""),
    ];
    assert_eq!(told, expected, "{problems}");
    assert!(problems.errors[2].hint.contains("\"treatment\""));
    assert!(problems.errors[3].hint.contains("7.5"));
    assert!(problems.errors[0].hint.contains("\"process\""));
}

#[test]
fn a_sheet_in_another_encoding_is_refused_with_a_word_how_to_save_it() {
    let problems = sites("sites.csv", b"site_id,site_name\na,\xb8\xdf\xb3\xc7\n").unwrap_err();
    assert_eq!(problems.errors.len(), 1);
    assert_eq!(problems.errors[0].line, Some(2));
    assert!(problems.errors[0].hint.contains("UTF-8"));
    assert!(sites("sites.csv", b"").is_err());
}

#[test]
fn a_process_without_treatment_is_told() {
    let text = "site_id,point_id,kind,rated_kw,process\ns,a,production,5,p\n";
    let problems = sites("sites.csv", text.as_bytes()).unwrap_err();
    assert!(problems.to_string().contains("no treatment point"), "{problems}");
}

#[test]
fn the_help_names_every_column() {
    for (name, _, _) in super::columns::COLUMNS {
        assert!(super::CSV_HELP.contains(name), "{name}");
    }
}
