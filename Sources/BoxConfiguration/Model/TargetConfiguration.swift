import Redaction

/// One target of a group.
package struct TargetConfiguration: Sendable, Equatable {
    /// `[a-z0-9][a-z0-9-]{0,31}`, unique in the file.
    package var name: String
    package var destination: TargetDestination
    /// The location of the target in the file; not part of equality.
    @EqualityIgnored package var location: FileLocation

    package init(name: String, destination: TargetDestination, location: FileLocation = .none) {
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
    /// The stream key, appended to the URL. `nil` if the URL is complete.
    package var key: SecretReference?
    /// For an rtmps url.
    package var tls: TLSVerification

    package init(url: String, key: SecretReference? = nil, tls: TLSVerification = .system) {
        self.url = url
        self.key = key
        self.tls = tls
    }
}

/// An SRT listener to call, or, with `?mode=listener`, a port for SRT callers. The URL may hold secrets, so it is
/// masked wherever it is shown. The stream id may be a key of the platform.
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

/// A recording to files on disk.
package struct RecordTarget: Sendable, Equatable {
    /// The folder of the files. No two targets share a folder.
    package var folder: String
    /// The length of one file, 1s to 24h; 10m by default.
    package var segment: Duration
    /// The amount of files above which the oldest is deleted, at least 100M. `nil` to keep everything.
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
