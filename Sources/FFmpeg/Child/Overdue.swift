/// The state in which a child was when its time limit ended it.
package enum Overdue: Sendable, Hashable {
    /// It did nothing.
    case hanging
    /// It was working.
    case working
}
