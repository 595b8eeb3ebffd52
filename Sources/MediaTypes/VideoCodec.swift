/// The video codecs. The raw values are the names that the configuration uses.
///
/// The service carries and encodes H.264 and HEVC. It does not encode AV1 yet: for a group with `codec: av1` it prints
/// a warning and encodes H.264.
package enum VideoCodec: String, Sendable, CaseIterable {
    case h264, hevc, av1
}
