/// An encoder at a job: what a trial encode shows.
public struct Trial: Sendable, Hashable {
    public var candidate: EncoderCandidate
    public var job: EncodingJob

    public init(_ candidate: EncoderCandidate, _ job: EncodingJob) {
        self.candidate = candidate
        self.job = job
    }
}
