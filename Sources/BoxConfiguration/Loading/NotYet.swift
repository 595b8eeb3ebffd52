/// Parts of the configuration that are understood and that this version does not carry out.
/// Whoever builds one deletes its entry from ``list``, and its notice is gone.
package enum NotYet: Sendable, Equatable {
    /// The streams between the service's processes, MPEG-TS, do not carry it in the FFmpegs that are common.
    case av1

    package static let list: [NotYet] = [
        .av1
    ]
}
