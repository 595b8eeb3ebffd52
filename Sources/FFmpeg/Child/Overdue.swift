/// How a child was that had to be ended because its time was over.
package enum Overdue: Sendable, Hashable {
    /// It did nothing any more.
    case hanging
    /// It was at work.
    case working
}
