/// The capabilities that a VA driver reports.
package struct VAReport: Sendable, Hashable, Codable {
    /// The driver's own name and version.
    package var driver: String
    /// The profiles that it encodes.
    package var encoders: [Encoder]
    /// Whether it scales frames on the GPU.
    package var processesVideo: Bool

    package struct Encoder: Sendable, Hashable, Codable {
        /// `VAProfileH264High`
        package var profile: String
        /// `VAEntrypointEncSlice`, or its low-power form.
        package var entrypoint: String
        /// `CQP`, `CBR`, `VBR`, …
        package var rateControls: [String]
        /// Pixels. `nil` if the driver does not report it.
        package var mostWidth: Int?
        package var mostHeight: Int?
    }
}
