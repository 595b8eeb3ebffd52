/// Where a publisher sends the group's stream.
package enum PublisherTarget: Sendable, Hashable {
    /// rtmp or rtmps.
    /// - `url`: without a key it ends with the application; a key in it is taken out and kept secret too.
    case rtmp(url: String, key: String?, tls: PeerCheck = .system)
    /// - `passphrase`: 10 to 79 characters.
    /// - `streamID`: often the key of a platform, so kept secret.
    /// - `latency`: `nil` leaves SRT's 120 ms.
    case srt(url: String, passphrase: String?, streamID: String?, latency: Duration?)
    /// - `folder`: must exist.
    /// - `name`: begins every file's name.
    /// - `segment`: the least length of a file; it is cut at the next keyframe.
    /// - `take`: told apart from earlier processes that wrote within the same second, see ``RecordingFiles``.
    case record(folder: String, name: String, segment: Duration, take: Int)
}
