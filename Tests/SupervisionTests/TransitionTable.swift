import TestSupport

/// The table of a state machine: one row per state, one column per event.
///
/// A wide table is written in parts, one below the other, with the same rows and other columns.
struct TransitionTable {
    /// The names of the events, in the order of the columns.
    let events: [String]
    let rows: [(state: String, cells: [String])]

    /// - Throws: ``Failed`` if the parts have different rows, or a row has too many or too few cells.
    init(_ parts: String...) throws {
        let parts = parts.map { part in
            part.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        }
        let states = parts[0].dropFirst().map { $0[0] }
        for part in parts {
            guard part.dropFirst().map({ $0[0] }) == states, part.allSatisfy({ $0.count == part[0].count }) else {
                throw Failed("the parts of the table do not fit together")
            }
        }
        events = parts.flatMap { $0[0].dropFirst() }
        rows = states.enumerated().map { index, state in (state, parts.flatMap { $0[index + 1].dropFirst() }) }
    }
}
