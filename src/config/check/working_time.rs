//! Declared working time: `working_time = ["Mon-Fri 08:00-18:00", "Sat 08:00-12:00"]`.

use super::rules::clock_ms;
use crate::config::problem::{Report, Spot};
use crate::config::suggest;
use crate::model::working_time::{Shift, WorkingTime};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const EXAMPLE: &str = "for example \"Mon-Fri 08:00-18:00\", \"Sat,Sun 22:00-06:00\" or \"daily 00:00-24:00\"";

/// Checks what was typed; nothing is declared where the key is not there.
pub fn check(typed: Option<&Vec<String>>, at: &Spot, key: &str, report: &mut Report) -> Option<WorkingTime> {
    let typed = typed?;
    if typed.is_empty() {
        let hint = "leave the key away where no working time is declared; then nobody asks about it";
        report.error(&at.key(key), "no working time is in it", hint);
        return None;
    }
    let mut shifts = Vec::with_capacity(typed.len());
    for (i, text) in typed.iter().enumerate() {
        match shift(text) {
            Ok(shift) => shifts.push(shift),
            Err((what, hint)) => report.error(&at.item(key, i), what, hint),
        }
    }
    (shifts.len() == typed.len()).then_some(WorkingTime { shifts })
}

/// `Mon-Fri 08:00-18:00`; or what is wrong with it, and what to do.
fn shift(text: &str) -> Result<Shift, (String, String)> {
    let Some((days, hours)) = text.trim().rsplit_once(' ') else {
        return Err((format!("{text:?} is no working time"), EXAMPLE.into()));
    };
    let mut on = 0;
    for part in days.split(',') {
        on |= some_days(part.trim())?;
    }
    let clock = hours.split_once('-').and_then(|(from, to)| Some((clock_ms(from)?, clock_ms(to)?)));
    let Some((from_ms, to_ms)) = clock else {
        return Err((format!("{hours:?} is no time of the day from and to"), EXAMPLE.into()));
    };
    if from_ms == to_ms {
        let hint =
            "a whole day is 00:00-24:00; a shift over midnight ends earlier than it begins: 22:00-06:00";
        return Err((format!("{hours:?} begins where it ends"), hint.into()));
    }
    let ms = |ms: i64| u32::try_from(ms).unwrap_or_default();
    Ok(Shift { days: on, from_ms: ms(from_ms), to_ms: ms(to_ms) })
}

/// `Mon`, `Mon-Fri` (also over Sunday: `Sat-Mon`) or `daily`, as bits.
fn some_days(text: &str) -> Result<u8, (String, String)> {
    if text == "daily" {
        return Ok(0b111_1111);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (day(first.trim())?, day(last.trim())?);
    let length = (last + 7 - first) % 7;
    Ok((0..=length).fold(0, |all, i| all | 1 << ((first + i) % 7)))
}

fn day(text: &str) -> Result<usize, (String, String)> {
    DAYS.iter().position(|day| *day == text).ok_or_else(|| {
        let known = DAYS.into_iter().chain(["daily"]);
        (format!("{text:?} is no day of the week"), suggest::hint(text, known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::HOUR_MS;

    fn hours(text: &str) -> (u8, i64, i64) {
        let shift = shift(text).unwrap();
        (shift.days, i64::from(shift.from_ms) / HOUR_MS, i64::from(shift.to_ms) / HOUR_MS)
    }

    #[test]
    fn days_and_hours_are_typed_as_people_write_them() {
        assert_eq!(hours("Mon-Fri 08:00-18:00"), (0b001_1111, 8, 18));
        assert_eq!(hours("Sat 08:00-12:00"), (0b010_0000, 8, 12));
        assert_eq!(hours("Mon, Wed,Sat-Sun 22:00-06:00"), (0b110_0101, 22, 6));
        assert_eq!(hours("Sun-Tue 00:00-24:00"), (0b100_0011, 0, 24));
        assert_eq!(hours("daily 06:00-22:00"), (0b111_1111, 6, 22));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_what_to_do() {
        let typed: Vec<String> =
            ["Mon-Fri", "Mon-Fry 08:00-18:00", "Mon 8-18", "Mon 08:00-08:00", "Tue 08:00-12:00"]
                .map(Into::into)
                .to_vec();
        let mut report = Report::default();
        let site = Spot::file("plant.toml");
        assert_eq!(check(Some(&typed), &site, "working_time", &mut report), None);
        assert_eq!(check(Some(&Vec::new()), &site, "none", &mut report), None);
        let errors = report.finish(|_, _| None).errors;
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        for (problem, said) in told.iter().zip([
            "none: no working time is in it",
            "working_time[0]: \"Mon-Fri\" is no working time",
            "working_time[1]: \"Fry\" is no day of the week",
            "working_time[2]: \"8-18\" is no time of the day",
            "working_time[3]: \"08:00-08:00\" begins where it ends",
        ]) {
            assert!(problem.contains(said) && problem.contains("hint: "), "{problem}");
        }
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(told[2].contains("Fri"), "{}", told[2]);
    }

    #[test]
    fn where_nothing_is_declared_nothing_is_asked() {
        let mut report = Report::default();
        assert_eq!(check(None, &Spot::file("x"), "working_time", &mut report), None);
        assert!(report.is_clean());
    }
}
