/// The destination of a group's stream.
package enum PublisherTarget: Sendable, Hashable {
    /// rtmp or rtmps.
    /// - `url`: without a key it ends with the application. A key in it is taken out and kept secret too.
    case rtmp(url: String, key: String?, tls: PeerCheck = .system)
    /// - `passphrase`: 10 to 79 characters.
    /// - `streamID`: often a platform's key, so it is kept secret.
    /// - `latency`: `nil` leaves SRT's 120 ms.
    case srt(url: String, passphrase: String?, streamID: String?, latency: Duration?)
    /// - `folder`: must exist.
    /// - `name`: the beginning of every file's name.
    /// - `segment`: the minimum length of a file. It is cut at the next keyframe.
    /// - `take`: the number that distinguishes the files of processes that wrote within the same second, see
    ///   ``RecordingFiles``.
    case record(folder: String, name: String, segment: Duration, take: Int)
}
