//! The tables in the documentation of `ccs::table`.

/// The cells of each row of the table of r3, or of SPC-4's, which follows it; the heading first.
pub(crate) fn table(is_spc4: bool) -> Vec<Vec<&'static str>> {
    let mut lines = include_str!("../../src/ccs/table.rs").lines();
    let mut row = || lines.by_ref().find_map(|line| line.strip_prefix("//! |").or(line.is_empty().then_some("")));
    let mut tables: Vec<Vec<Vec<&'static str>>> = Vec::new();
    while let Some(cells) = row().and_then(|row| row.strip_suffix('|')) {
        let cells: Vec<&'static str> = cells.split('|').map(str::trim).collect();
        if cells.first() == Some(&"command") {
            tables.push(Vec::new());
        }
        if let Some(last) = tables.last_mut() {
            last.push(cells);
        }
    }
    assert_eq!(tables.len(), 2, "one table for each dialect");
    tables.swap_remove(usize::from(is_spc4))
}
