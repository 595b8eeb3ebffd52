/// An encoder at a job: what a trial encode shows.
package struct Trial: Sendable, Hashable {
    package var candidate: EncoderCandidate
    package var job: EncodingJob

    package init(_ candidate: EncoderCandidate, _ job: EncodingJob) {
        self.candidate = candidate
        self.job = job
    }
}
