/// How much work a software encoder spends on a frame.
package enum EncoderEffort: Int, Sendable, Hashable, CaseIterable {
    /// The effort of the recipe's default preset.
    case normal
    case less
    case least
}
