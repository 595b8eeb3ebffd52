/// The audio codecs that the service encodes, by the words of the configuration.
package enum AudioCodec: String, Sendable, CaseIterable {
    case aac
}
