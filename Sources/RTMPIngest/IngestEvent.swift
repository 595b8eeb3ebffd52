/// An event that an ingest reports.
package enum IngestEvent: Sendable, Hashable {
    /// A publisher with the right key has connected; its connection can be lent.
    case began(address: String)
    /// The publisher has stopped publishing.
    case ended(Ending)
    /// The media that the publisher says it sends. It may send something else.
    case announced(String)
    /// The number of unusable media messages since the publisher connected, by fault.
    ///
    /// - Parameter advice: The most frequent fault and its remedy, as a sentence. `nil` once the publisher has stopped.
    case faults([String: Int], advice: String?)
    /// A connection was rejected.
    ///
    /// - Parameters:
    ///   - detail: Details beyond the reason; they contain nothing that the client sent.
    ///   - suppressed: The number of rejections since the last report that were not reported.
    case refused(IngestRefusal, address: String, detail: String?, suppressed: Int)

    package enum Ending: Sendable, Hashable {
        /// It unpublished, or its connection ended.
        case left
        case violation(String)
        /// It sent nothing for too long.
        case idle
        /// It was silent, and another publisher with the right key replaced it.
        case replaced
        /// The key has changed.
        case keyChanged
        /// A feed cannot carry its stream: the reason, and what to do.
        case rejected(String)
    }
}
