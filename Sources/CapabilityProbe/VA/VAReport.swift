/// What a VA driver says that it can do.
package struct VAReport: Sendable, Hashable, Codable {
    /// The driver's own words.
    package var driver: String
    /// Profiles that it encodes.
    package var encoders: [Encoder]
    /// It scales pictures on the GPU.
    package var processesVideo: Bool

    package struct Encoder: Sendable, Hashable, Codable {
        /// `VAProfileH264High`
        package var profile: String
        /// `VAEntrypointEncSlice`, or its low-power form.
        package var entrypoint: String
        /// `CQP`, `CBR`, `VBR`, …
        package var rateControls: [String]
        /// Pixels; `nil` where the driver does not say.
        package var mostWidth: Int?
        package var mostHeight: Int?
    }
}
