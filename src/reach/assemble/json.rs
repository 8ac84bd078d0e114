//! JSON in a value: `VCAP_SERVICES`, `SPRING_APPLICATION_JSON`, a list of databases; or all of a settings file in YAML
//! (`KESTRA_CONFIGURATION`).
//!
//! It is taken apart into settings with dotted names, and these are read like any others.

use serde_json::Value;

use crate::environment::Setting;
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::formats;

/// The longest JSON text that is looked into, in bytes.
const LONGEST: usize = 1024 * 1024;
/// How many leaves are looked at.
const MOST_LEAVES: usize = 10_000;
/// How long a path of keys may become, in bytes: each leaf holds one.
const LONGEST_NAME: usize = 1000;

/// Lists the leaves of the JSON object or list in the setting's value, or of the YAML that it is, as settings; empty where
/// it holds none. Says what is left out, if anything is.
pub(crate) fn settings_inside(setting: &Setting) -> (Vec<Setting>, Option<&'static str>) {
    let text = setting.value.trim_start();
    if setting.value.contains('\n') && text.contains("://") && !text.starts_with(['{', '[', '<', '-']) {
        return inside_yaml(setting);
    }
    if !text.starts_with(['{', '[']) || setting.unresolved.is_some() {
        return (Vec::new(), None);
    }
    if text.len() > LONGEST {
        return (Vec::new(), Some("it is JSON of more than 1 MiB"));
    }
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        // serde_json has no other way to tell this error from others.
        Err(error) if error.to_string().starts_with("recursion limit exceeded") => {
            return (Vec::new(), Some("it is JSON that is nested more than 127 deep"));
        }
        // For its program it is no JSON either.
        Err(_) => return (Vec::new(), None),
    };
    let mut found = Vec::new();
    let mut cut = None;
    walk(&value, &setting.name, setting, &mut found, &mut cut);
    (found, cut)
}

/// Lists the leaves of several lines of YAML that speak of a URL.
fn inside_yaml(setting: &Setting) -> (Vec<Setting>, Option<&'static str>) {
    if setting.unresolved.is_some() {
        return (Vec::new(), None);
    }
    if setting.value.len() > LONGEST {
        return (Vec::new(), Some("it is YAML of more than 1 MiB"));
    }
    const TOO_MUCH: &str = "it is YAML with more in it than is read";
    let mut stop = None;
    let entries = formats::yaml::flatten(&setting.value).entries(|met| stop = Some(met));
    match stop.map(|stop| stop.why) {
        Some(GivenUp::TooMuch(_)) => return (Vec::new(), Some(TOO_MUCH)),
        // For its program it is no YAML either.
        Some(_) => return (Vec::new(), None),
        None => {}
    }
    let nested = entries.into_iter().filter(|entry| entry.path.len() > 1);
    let mut leaves: Vec<Setting> = nested
        .map(|entry| {
            Setting::known(format!("{}.{}", setting.name, entry.path.join(".")), entry.value, setting.origin.clone())
        })
        .collect();
    let all = leaves.len();
    leaves.retain(|leaf| leaf.name.len() <= LONGEST_NAME);
    leaves.truncate(MOST_LEAVES);
    let cut = (leaves.len() < all).then_some(TOO_MUCH);
    (leaves, cut)
}

fn walk(value: &Value, name: &str, setting: &Setting, found: &mut Vec<Setting>, cut: &mut Option<&'static str>) {
    if found.len() >= MOST_LEAVES {
        *cut = Some("it is JSON with more than 10,000 values");
        return;
    }
    if name.len() > LONGEST_NAME {
        *cut = Some("it is JSON with keys of more than 1,000 bytes together");
        return;
    }
    let leaf = |text: String| Setting::known(name, text, setting.origin.clone());
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(text) => found.push(leaf(text.clone())),
        Value::Number(number) => found.push(leaf(number.to_string())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{name}.{index}"), setting, found, cut);
            }
        }
        Value::Object(all) => {
            for (key, item) in all {
                walk(item, &format!("{name}.{key}"), setting, found, cut);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Origin;

    fn inside(value: &str) -> Vec<(String, String)> {
        let setting = Setting::known("X", value, Origin::process("X"));
        settings_inside(&setting).0.into_iter().map(|setting| (setting.name, setting.value)).collect()
    }

    #[test]
    fn leaves_become_settings_with_dotted_names() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            inside(r#"[{"host":"a","port":5432,"on":true},{"host":"b"}]"#),
            [pair("X.0.host", "a"), pair("X.0.port", "5432"), pair("X.1.host", "b")]
        );
        assert_eq!(inside("{broken"), []);
        assert_eq!(inside("plain"), []);
    }

    #[test]
    fn what_is_left_out_is_told() {
        let cut = |value: String| settings_inside(&Setting::known("X", value, Origin::process("X"))).1;
        assert_eq!(cut(format!("[{}1]", "1,".repeat(9_999))), None);
        assert_eq!(cut(format!("{}1{}", "[".repeat(127), "]".repeat(127))), None);
        assert_eq!(cut("{\"a\": broken".to_owned()), None);
        for value in [
            format!("[{}1]", "1,".repeat(10_000)),
            format!("[{}1]", " ".repeat(1 << 20)),
            format!("{}1{}", "[".repeat(128), "]".repeat(128)),
            "[".repeat(100_000),
            format!("{{\"{}\": 1}}", "a".repeat(1000)),
        ] {
            assert!(cut(value.clone()).is_some(), "{}", &value[..20]);
        }
        let lines = |count: usize| (0..count).map(|at| format!("  k{at}: x\n")).collect::<String>();
        assert_eq!(cut(format!("db:\n{}  url: postgres://localhost/x\n", lines(9_999))), None);
        assert_eq!(cut("db: {url: postgres://localhost/x\nother".to_owned()), None);
        for value in [
            format!("db:\n{}  url: postgres://db.northwind-shop.net/x\n", lines(10_000)),
            format!("{}: {{url: postgres://localhost/x}}\nb: c\n", "a".repeat(1001)),
            format!("x: {}1{}\nurl: postgres://localhost/x\n", "[".repeat(5_000), "]".repeat(5_000)),
            format!("x: {}\nurl: postgres://localhost/x\n", "a".repeat(1 << 20)),
        ] {
            assert!(cut(value.clone()).is_some(), "{}", &value[..20]);
        }
    }
}
