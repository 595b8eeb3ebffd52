import Redaction

/// One place that a group is sent to.
package struct TargetConfiguration: Sendable, Equatable {
    /// `[a-z0-9][a-z0-9-]{0,31}`, unique in the file.
    package var name: String
    package var destination: TargetDestination
    /// Where the target stands in the file; not part of equality.
    @EqualityIgnored package var location: SourceLocation

    package init(name: String, destination: TargetDestination, location: SourceLocation = .none) {
        self.name = name
        self.destination = destination
        self.location = location
    }
}

package enum TargetDestination: Sendable, Equatable {
    /// `rtmp://` and `rtmps://`.
    case rtmp(RTMPTarget)
    case srt(SRTTarget)
    case record(RecordTarget)

    /// The schemes of `url:`.
    package static let schemes = ["rtmp", "rtmps", "srt"]
}

/// An RTMP server. The URL may hold a stream key, so it is masked wherever it is shown.
package struct RTMPTarget: Sendable, Equatable {
    package var url: String
    /// The stream key, sent after the URL; nil: the URL says everything.
    package var key: SecretReference?
    /// Of an rtmps url.
    package var tls: TLSVerification

    package init(url: String, key: SecretReference? = nil, tls: TLSVerification = .system) {
        self.url = url
        self.key = key
        self.tls = tls
    }
}

/// An SRT listener that is called, or, with `?mode=listener`, callers that are waited for. The URL may
/// hold secrets, so it is masked wherever it is shown; the stream id may be a key of the platform's.
package struct SRTTarget: Sendable, Equatable {
    package var url: String
    package var passphrase: SecretReference?
    package var streamid: SecretReference?

    package init(url: String, passphrase: SecretReference? = nil, streamid: SecretReference? = nil) {
        self.url = url
        self.passphrase = passphrase
        self.streamid = streamid
    }
}

/// Files on disk.
package struct RecordTarget: Sendable, Equatable {
    /// No two targets share a folder.
    package var folder: String
    /// How long one file lasts, 1s to 24h; 10m by default.
    package var segment: Duration
    /// How much is kept before the oldest file goes, at least 100M; nil: everything.
    package var keep: ByteCount?

    package static let segmentLimits = Duration.seconds(1)...Duration.seconds(86400)
    package static let keepMinimum = ByteCount(bytes: 100_000_000)

    package init(folder: String, segment: Duration = .seconds(600), keep: ByteCount? = nil) {
        self.folder = folder
        self.segment = segment
        self.keep = keep
    }
}

extension RTMPTarget: MaskedInDumps {
    var shown: KeyValuePairs<String, String> {
        ["url": URLMask.mask(url), "key": key.map { "\($0)" } ?? "nil", "tls": "\(tls)"]
    }
    package var description: String { maskedDescription }
    package var debugDescription: String { maskedDescription }
    package var customMirror: Mirror { maskedMirror }
}

extension SRTTarget: MaskedInDumps {
    var shown: KeyValuePairs<String, String> {
        [
            "url": URLMask.mask(url), "passphrase": passphrase.map { "\($0)" } ?? "nil",
            "streamid": streamid.map { "\($0)" } ?? "nil",
        ]
    }
    package var description: String { maskedDescription }
    package var debugDescription: String { maskedDescription }
    package var customMirror: Mirror { maskedMirror }
}
