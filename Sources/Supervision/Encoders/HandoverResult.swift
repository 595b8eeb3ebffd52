import EncoderSelection

/// What became of a handover that was asked for.
enum HandoverResult: Sendable {
    /// The next one has the group feed; the time is from the last picture of the one before.
    case handedOver(EncoderCandidate?, after: Duration)
    /// Why not, for people. The group goes on.
    case failed(String)
}
