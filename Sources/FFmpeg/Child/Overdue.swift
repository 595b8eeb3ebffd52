/// The condition of a child that was ended because its time was over.
package enum Overdue: Sendable, Hashable {
    /// It did nothing.
    case hanging
    /// It was working.
    case working
}
