package import RTMP

/// The publishers that an ingest accepts.
package enum AdmissionPolicy: Sendable {
    /// Reject every publisher. This is the policy until the key is known.
    case rejectAll
    /// Accept any publisher that names the application.
    case acceptAny
    /// Accept a publisher that gives the key as the name of its stream.
    case requireKey(StreamKey)
}
