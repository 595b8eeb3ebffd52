/// What a VA driver says that it can do.
public struct VAReport: Sendable, Hashable, Codable {
    /// The driver's own words.
    public var driver: String
    /// Profiles that it encodes.
    public var encoders: [Encoder]
    /// It scales pictures on the GPU.
    public var processesVideo: Bool

    public struct Encoder: Sendable, Hashable, Codable {
        /// `VAProfileH264High`
        public var profile: String
        /// `VAEntrypointEncSlice`, or its low-power form.
        public var entrypoint: String
        /// `CQP`, `CBR`, `VBR`, …
        public var rateControls: [String]
        /// Pixels; `nil` where the driver does not say.
        public var mostWidth: Int?
        public var mostHeight: Int?
    }
}
