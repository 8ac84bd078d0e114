//! The names of snapshots: the database's, made fit for a file, and the time.

/// Makes a database's name fit for a file name; the manifest has the true one.
pub(crate) fn fit_for_a_file_name(name: &str) -> String {
    let fit: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).take(80).collect();
    let fit = fit.trim_start_matches(['.', '-']);
    if fit.is_empty() { "database".to_owned() } else { fit.to_owned() }
}

/// Finds the time in a snapshot's name: `20261121_143022` in `app_test_20261121_143022_2`.
pub(crate) fn time_in(id: &str) -> Option<&str> {
    let is_time = |text: &&str| {
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        text.len() == 15
            && text.split_once('_').is_some_and(|(date, time)| date.len() == 8 && is_number(date) && is_number(time))
    };
    let ending = |id: &'_ str| id.len().checked_sub(15);
    let whole = ending(id).and_then(|at| id.get(at..)).filter(is_time);
    whole.or_else(|| {
        let (id, _) = id.rsplit_once('_')?;
        id.get(ending(id)?..).filter(is_time)
    })
}
