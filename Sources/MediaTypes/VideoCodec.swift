/// The video codecs that the service encodes and carries, by the words of the configuration.
package enum VideoCodec: String, Sendable, CaseIterable {
    case h264, hevc, av1
}
