/// An encoder with a job: the subject of a trial encode.
package struct Trial: Sendable, Hashable {
    package var candidate: EncoderCandidate
    package var job: EncodingJob

    package init(_ candidate: EncoderCandidate, _ job: EncodingJob) {
        self.candidate = candidate
        self.job = job
    }
}
