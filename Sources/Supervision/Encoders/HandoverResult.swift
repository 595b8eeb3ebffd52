import EncoderSelection

/// The result of a handover that the operator asked for.
enum HandoverResult: Sendable {
    /// The next encoder has the output. The time is the gap after the last frame of the one before.
    case handedOver(EncoderCandidate?, after: Duration)
    /// The reason for the failure, as a sentence for the operator. The encoder in use continues.
    case failed(String)
}
