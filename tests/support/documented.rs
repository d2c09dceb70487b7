//! The table in the documentation of `ccs::table`.

/// The cells of each row of the table, the heading first.
pub(crate) fn table() -> Vec<Vec<&'static str>> {
    let lines = include_str!("../../src/ccs/table.rs").lines();
    let rows = lines.filter_map(|line| line.strip_prefix("//! |")?.strip_suffix('|'));
    rows.map(|row| row.split('|').map(str::trim).collect()).collect()
}
