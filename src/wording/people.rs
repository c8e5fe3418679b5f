//! What people are, and what they did: roles, the words of the trail, deeds about an alert. Pure.

use std::borrow::Cow;

use super::words::{self, Lang, Words, words};
use crate::accounts::role::Role;
use crate::alerts::alert::Alert;
use crate::model::deed::{Act, Deed};

/// What people do, by the word of the record.
pub const DONE: [Words; 20] = [
    words("acknowledge", "确认告警"),
    words("comment", "备注"),
    words("assign", "指派"),
    words("declare", "申报原因"),
    words("confirm", "认可申报"),
    words("refuse", "不予认可申报"),
    words("file_maintenance", "登记检修"),
    words("withdraw_maintenance", "撤销检修"),
    words("confirm_learned", "确认学习结果"),
    words("refuse_learned", "拒绝学习结果"),
    words("commission", "调试验收"),
    words("exchange_meter", "更换电表"),
    words("log_in", "登录"),
    words("set_up", "创建首位管理员"),
    words("add_user", "新增用户"),
    words("change_user", "修改用户"),
    words("set_password", "修改密码"),
    words("add_token", "新增令牌"),
    words("revoke_token", "吊销令牌"),
    words("set_own_password", "修改本人密码"),
];

/// The word for what was done; one that is not known stays as it is.
#[must_use]
pub fn done(what: &str, lang: Lang) -> Cow<'_, str> {
    match DONE.iter().find(|known| known.en == what) {
        Some(known) => known.in_lang(lang).replace('_', " ").into(),
        None => what.into(),
    }
}

/// The word for a role.
#[must_use]
pub const fn role(role: Role) -> Words {
    match role {
        Role::Viewer => words("viewer", "查看"),
        Role::Operator => words("operator", "操作员"),
        Role::Auditor => words("auditor", "审计员"),
        Role::Admin => words("admin", "管理员"),
    }
}

/// What was done about an alert; whom or which it is about stands behind it.
#[must_use]
pub const fn act(act: &Act) -> Words {
    match act {
        Act::Comment => words("comment", "备注"),
        Act::Assign { to: Some(_) } => words("assigned to", "指派给"),
        Act::Assign { to: None } => words("assigned to nobody", "取消指派"),
        Act::Declare { .. } => words("declared", "申报原因"),
        Act::Confirm { .. } => words("confirmed the declaration", "认可申报"),
        Act::Refuse { .. } => words("refused the declaration", "不予认可申报"),
    }
}

/// What is behind such a word: a name, a cause, the number of a declaration.
#[must_use]
pub fn object(act: &Act, lang: Lang) -> Option<String> {
    match act {
        Act::Comment | Act::Assign { to: None } => None,
        Act::Assign { to: Some(to) } => Some(to.to_string()),
        Act::Declare { cause } => Some(words::cause(*cause).in_lang(lang).to_owned()),
        Act::Confirm { declaration } | Act::Refuse { declaration } => Some(format!("#{declaration}")),
    }
}

/// What became of a declaration.
#[must_use]
pub const fn standing(is_confirmed: Option<bool>) -> Words {
    match is_confirmed {
        Some(true) => words("confirmed", "已认可"),
        Some(false) => words("refused", "不予认可"),
        None => words("not judged yet", "待审核"),
    }
}

/// A deed in a line: `li (uid 7) declared power cut (not judged yet): "since noon"`.
#[must_use]
pub fn deed(alert: &Alert, deed: &Deed, lang: Lang) -> String {
    let mut line = format!("{} {}", deed.who, act(&deed.act).in_lang(lang));
    if let Some(object) = object(&deed.act, lang) {
        line.push_str(&format!(" {object}"));
    }
    if matches!(deed.act, Act::Declare { .. }) {
        let standing = standing(alert.is_confirmed(deed.offset)).in_lang(lang);
        line.push_str(&match lang {
            Lang::En => format!(" ({standing})"),
            Lang::Zh => format!("（{standing}）"),
        });
    }
    if !deed.note.is_empty() {
        line.push_str(&match lang {
            Lang::En => format!(": \"{}\"", deed.note),
            Lang::Zh => format!("：“{}”", deed.note),
        });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::alert::Status;
    use crate::model::deed::Cause;
    use crate::model::rule::Rule;
    use crate::model::time::UtcMs;
    use crate::wording::sentence::tests::alert;

    #[test]
    fn a_deed_says_who_what_and_what_became_of_it() {
        let mut own = alert(Rule::TreatmentOff, Status::Open);
        let done =
            |offset, note: &str, act| Deed { at: UtcMs(0), offset, who: "li".into(), note: note.into(), act };
        own.deeds = vec![
            done(7, "since noon", Act::Declare { cause: Cause::PowerCut }),
            done(8, "", Act::Assign { to: Some("wang".into()) }),
            done(9, "", Act::Assign { to: None }),
        ];
        let all = |own: &Alert, lang| own.deeds.iter().map(|d| deed(own, d, lang)).collect::<Vec<_>>();
        let english = [
            "li declared power cut (not judged yet): \"since noon\"",
            "li assigned to wang",
            "li assigned to nobody",
        ];
        assert_eq!(all(&own, Lang::En), english);
        own.deeds.push(done(10, "", Act::Refuse { declaration: 7 }));
        let chinese = all(&own, Lang::Zh);
        assert_eq!(chinese[0], "li 申报原因 停电（不予认可）：“since noon”");
        assert_eq!(chinese[3], "li 不予认可申报 #7");
    }

    #[test]
    fn a_word_of_tomorrow_stays_as_it_is() {
        assert_eq!(done("log_in", Lang::En), "log in");
        assert_eq!(done("log_in", Lang::Zh), "登录");
        assert_eq!(done("new_word", Lang::Zh), "new_word");
    }
}
