/// The audio codecs that the service encodes. The raw values are the names that the configuration uses.
package enum AudioCodec: String, Sendable, CaseIterable {
    case aac
}
