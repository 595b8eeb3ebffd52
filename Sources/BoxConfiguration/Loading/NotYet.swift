/// Parts of the configuration that are valid, and that this version does not support yet. The change that adds the
/// support removes the entry from ``list``, and with it the notice.
package enum NotYet: Sendable, Equatable {
    /// Common versions of FFmpeg cannot put AV1 into MPEG-TS, which the processes of the service exchange.
    case av1

    package static let list: [NotYet] = [
        .av1
    ]
}
