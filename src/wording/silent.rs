//! Why a rule says nothing of something, in words. Pure.

use super::words::{Words, words};
use crate::detection::applicable::Why;

/// Why.
#[must_use]
pub const fn because(why: Why) -> Words {
    match why {
        Why::Off => words("it is turned off", "规则已关闭"),
        Why::NoBaseline => words("what treatment usually draws is not known", "缺少治污设施常值功率"),
        Why::NoWorkingTime => words("no working time is declared", "未申报工作时间"),
        Why::NoNight => words("the night ends when it begins", "未设夜间时段"),
        Why::NoLag => words(
            "no lag is set: only what stops before production is told",
            "未设延时：仅判定早于生产的停运",
        ),
        Why::TooSeldom => words("readings come too seldom for edges", "采集间隔过长，无法确定启停时刻"),
        Why::InNoProcess => words("it is in no process", "未纳入任何工艺"),
        Why::NotMeasured => words("its meter gives no such value", "电表无此测量值"),
        Why::SinglePhase => words("its meter has a single phase", "单相电表"),
        Why::DependsOnMessages => words("depends on what its meter sends", "取决于电表上报内容"),
        Why::NoClockOfItsOwn => words("its readings are timed by us", "采集时刻由本系统确定"),
        Why::NoNumbers => words("its meter does not number what it sends", "电表不上报序号"),
        Why::NothingToCompare => words("no other meter gives such a value", "无可比对的电表"),
        Why::NoTotal => words("no point of kind total", "无总表"),
        Why::OneMeter => words("a single meter", "仅一块电表"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_words() {
        let mut said: Vec<_> = Why::ALL.iter().flat_map(|why| [because(*why).en, because(*why).zh]).collect();
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), 2 * Why::ALL.len());
    }
}
