/// What an ingest reports.
package enum IngestEvent: Sendable, Hashable {
    /// A publisher with the right key has come; its connection can be lent.
    case began(address: String)
    /// It publishes no more.
    case ended(Ending)
    /// What it says that it sends; not always what comes.
    case announced(String)
    /// Messages of media that could not be used, by what was wrong with them, since the publisher came.
    ///
    /// - Parameter advice: What is wrong with most of them, and what to do, as a sentence; `nil` once the publisher
    ///   publishes no more.
    case faults([String: Int], advice: String?)
    /// A connection was turned away.
    ///
    /// - Parameters:
    ///   - detail: More than the reason says; nothing that the peer sent.
    ///   - unsaid: So many were turned away since the last report of it.
    case refused(IngestRefusal, address: String, detail: String?, unsaid: Int)

    package enum Ending: Sendable, Hashable {
        /// It took its leave, or its connection is gone.
        case left
        case violation(String)
        /// It sent nothing for too long.
        case idle
        /// It was silent, and another one with the right key came.
        case replaced
        /// The key has changed.
        case keyChanged
        /// What it sends cannot be carried: why, and what to do.
        case rejected(String)
    }
}
