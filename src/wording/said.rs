//! Sentences that lie in journal and store in English, said in Chinese. Pure.
//!
//! What was learned, decided and refused is kept as text, which scripts read and which never changes. So it is recognised by
//! its pattern here, and said again with the figures it has. What no pattern fits stays as it is.

use std::borrow::Cow;

use super::words::{self, Lang, Words, words};

/// Holes are numbered; `{0*}` is a word of the program and is said in Chinese too, and nothing else fits there.
const SENTENCES: &[Words] = &[
    // Why nothing was learned.
    words("minutes of {0} days, fewer than {1}", "仅有 {0} 天数据，少于 {1} 天"),
    words("{0} clean minutes, fewer than {1}", "有效分钟数 {0}，少于 {1}"),
    words(
        "largest power is {0} times the smallest, under {1}: one load level only",
        "最大功率为最小功率的 {0} 倍，低于 {1} 倍：只有一个负荷档",
    ),
    words(
        "separability is {0}, under {1}: no better than an even spread",
        "可分度 {0}，低于 {1}：与均匀分布无异",
    ),
    words(
        "the rarer level has {0} min, {1} %: under {2} min or {3} %",
        "较少的一档仅 {0} 分钟，占 {1} %：低于 {2} 分钟或 {3} %",
    ),
    words("the upper level is {0} times the lower, under {1}", "高档为低档的 {0} 倍，低于 {1} 倍"),
    words(
        "the upper level begins at {0} times the end of the lower, under {1}: no clear valley",
        "高档起点为低档终点的 {0} 倍，低于 {1} 倍：两档之间无明显分界",
    ),
    words(
        "the valley is {0} of the smaller peak, over {1}: the levels run into each other",
        "谷值为较小峰值的 {0}，高于 {1}：两档相连",
    ),
    words(
        "the lower level is {0} % of rated power, over {1} %: it runs at both levels",
        "低档为额定功率的 {0} %，高于 {1} %：两档均为运行",
    ),
    // What a person should look at.
    words(
        "draws {0} for long, rated {1}: check the rated power, the CT ratio, the label",
        "功率长时间达 {0}，额定 {1}：请核对额定功率、互感器变比和设备标签",
    ),
    words(
        "draws {0} while it runs, rated {1}: check the rated power, the CT ratio, the label, whether it runs idle",
        "运行时功率仅 {0}，额定 {1}：请核对额定功率、互感器变比、设备标签以及是否空转",
    ),
    words(
        "the labels of two meters look swapped: rated {0} one draws {1}, rated {2} the other draws {3} ({4})",
        "两块电表标签疑似互换：额定 {0} 者功率 {1}，额定 {2} 者功率 {3}（另一监测点 {4}）",
    ),
    words(
        "the labels of two meters look swapped: rated {0} one draws {1}, rated {2} the other draws {3}",
        "两块电表标签疑似互换：额定 {0} 者功率 {1}，额定 {2} 者功率 {3}",
    ),
    words("{0}: stood still at full load, taken for a standby unit", "{0}：满负荷时未运行，视为备用设备"),
    words("{0}: drew {1} W in the idle phase, taken for running", "{0}：空载阶段功率 {1} W，视为运行"),
    // Why a test proves nothing.
    words("nobody is named who supervised the test", "未填写试验监督人"),
    words("the phase \"{0*}\" is missing", "缺少“{0}”阶段"),
    words("the phase \"{0*}\" is there more than once", "“{0}”阶段重复"),
    words("the phases \"{0*}\" and \"{1*}\" overlap", "“{0}”与“{1}”阶段时间重叠"),
    words(
        "the phase \"{0*}\" has {1} whole minutes, fewer than {2}",
        "“{0}”阶段仅 {1} 个整分钟，少于 {2} 个",
    ),
    words(
        "{0}: of the {1} min of phase \"{2*}\" only {3} were measured",
        "{0}：“{2}”阶段共 {1} 分钟，仅测得 {3} 分钟",
    ),
    words(
        "{0}: full load begins at {1} W and off ends at {2} W, not {3} times apart",
        "{0}：满负荷功率自 {1} W 起，停机功率至 {2} W，相差不足 {3} 倍",
    ),
    words(
        "production drew {0} % of its rated power, under {1} %: that is no full load",
        "生产设施功率为额定的 {0} %，低于 {1} %：未达到满负荷",
    ),
    // Why a usual power may not be confirmed.
    words(
        "there is no recorded commissioning test to hold it against; hint: run one, off and at full load, supervised",
        "没有可供对照的调试验收记录；提示：请在监督下做一次停机和满负荷试验",
    ),
    words(
        "the commissioning test has no full-load power of this unit; hint: repeat it with the unit running",
        "调试验收中没有该设备的满负荷功率；提示：请在该设备运行时重新试验",
    ),
    words("nothing was learned that could be confirmed", "没有可确认的学习结果"),
    words(
        "at production level {0} the learned {1} W is {2} % of the {3} W at commissioning, under {4} %: \
         it would make running idle look normal",
        "生产负荷第 {0} 档的学习值 {1} W 为验收值 {3} W 的 {2} %，低于 {4} %：采纳后空转将被视为正常",
    ),
    // Why a person is needed, and what people decided.
    words(
        "the thresholds in force are {0*}, which goes before; hint: take them out of the site's file",
        "现行阈值来源为“{0}”，优先；提示：请从企业配置文件中删去",
    ),
    words(
        "the thresholds in force are {0*}, which goes before; hint: repeat the commissioning test",
        "现行阈值来源为“{0}”，优先；提示：请重新做调试验收",
    ),
    words("the thresholds in force are {0*}, which goes before learned", "现行阈值来源为“{0}”，优先于学习值"),
    words("the thresholds in force are {0*}", "现行阈值来源为“{0}”"),
    words("the one in force is {0*}", "现行常值功率来源为“{0}”"),
    words(
        "a threshold would move from {0} W to {1} W, by more than x{2}",
        "阈值将由 {0} W 变为 {1} W，变动超过 {2} 倍",
    ),
    words(
        "there is a level of {0} W between off and running; it is taken for idle, up to {1} W; \
         if the unit works at that level, running begins at {2} W",
        "停机与运行之间有一档 {0} W，视为待机，上限 {1} W；若该档为生产状态，运行起点应为 {2} W",
    ),
    words(
        "there is a level between off and running; whether the unit works in it is for a person to say",
        "停机与运行之间存在中间功率档，是否为生产状态须人工判断",
    ),
    words("a person has refused other numbers before", "此前其他数值曾被人工否决"),
    words("a person has refused another one before", "此前另一常值功率曾被人工否决"),
    words(
        "in the place of a share of rated power; good for a warning until somebody confirms it",
        "替代按额定功率比例的取值；人工确认前最高为预警",
    ),
    words(
        "none was known; good for a warning until it is confirmed against a commissioning test",
        "此前没有常值功率；对照调试验收确认前最高为预警",
    ),
    words(
        "nothing is proposed for it, and nothing learned is in force",
        "没有待确认的内容，也没有已生效的学习值",
    ),
    words("nothing is proposed for it", "没有待确认的内容"),
    words("confirmed by {0}", "确认人 {0}"),
    words("refused by {0}", "否决人 {0}"),
    words("supervised by {0}", "监督人 {0}"),
    words("acknowledged by {0}", "确认人 {0}"),
    words("there is no such process", "没有该工艺"),
    words("nobody is named, or no unit was tested", "未填写姓名，或没有试验任何设备"),
    words("kept beside what the site's file sets, which goes before", "已留存；企业配置文件中的设定优先"),
    words("measured in the test", "试验实测"),
    // What changed of what is judged by.
    words(
        "running from {0} down to {1}, idle from {2}, off below {3}, for {4} s / {5} s ({6*}, {7})",
        "运行 {0}～{1}，待机自 {2}，停机低于 {3}，持续 {4} s / {5} s（{6}，{7}）",
    ),
    // Why a message was rejected; what a parser says stays as it is.
    words("no subscription fits this topic", "主题不属于任何订阅"),
    words("no meter {0} is configured", "未配置电表 {0}"),
    words("not JSON: {0}", "不是有效的 JSON：{0}"),
    words("unexpected shape: {0}", "报文结构不符：{0}"),
    words("the time {0} cannot be read", "时间 {0} 无法识别"),
    words(
        "measured {0} ms after it was received; up to {1} ms are taken for clock drift",
        "测量时间晚于接收时间 {0} ms；时钟偏差最多允许 {1} ms",
    ),
    words("no usable value: {0}", "没有可用数值：{0}"),
    words("{0} is {1}, which no meter measures", "{0} 为 {1}，电表不可能测得"),
    words("{0} bytes, at most {1}", "{0} 字节，最多允许 {1} 字节"),
    words(
        "{0} bytes are kept of it; it is larger than its broker's packet_bytes_max",
        "仅保留 {0} 字节；报文超过代理的 packet_bytes_max",
    ),
    words("registers do not fit the profile {0}: {1}", "寄存器与型号 {0} 不符：{1}"),
    words("a command that cannot be read: {0}", "命令无法识别：{0}"),
];

/// The sentence, or several with `; ` between, in that language.
#[must_use]
pub fn said(text: &str, lang: Lang) -> Cow<'_, str> {
    match lang {
        Lang::En => Cow::Borrowed(text),
        Lang::Zh => all(text).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

/// Some sentences have a `; ` of their own: as much as fits is taken for one.
fn all(text: &str) -> Option<String> {
    one(text).or_else(|| {
        let mut breaks = text.rmatch_indices("; ");
        breaks.find_map(|(at, _)| Some(format!("{}；{}", one(&text[..at])?, all(&text[at + 2..])?)))
    })
}

fn one(text: &str) -> Option<String> {
    SENTENCES.iter().find_map(|sentence| again(sentence, text))
}

/// What stood in the holes of the English sentence, in the Chinese one.
fn again(sentence: &Words, text: &str) -> Option<String> {
    let mut pieces = sentence.en.split('{');
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut found = sentence.zh.to_owned();
    for piece in pieces {
        let (hole, literal) = piece.split_once('}')?;
        let end = if literal.is_empty() { rest.len() } else { rest.find(literal)? };
        let (own, after) = rest.split_at(end);
        rest = &after[literal.len()..];
        let own = match hole.strip_suffix('*') {
            Some(_) => words::known_key(own)?,
            None => own,
        };
        found = found.replace(&format!("{{{}}}", hole.trim_end_matches('*')), own);
    }
    rest.is_empty().then_some(found)
}
