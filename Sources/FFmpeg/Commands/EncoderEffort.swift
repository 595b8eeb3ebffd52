/// How much work a software encoder spends on a frame.
package enum EncoderEffort: Int, Sendable, Hashable, CaseIterable {
    /// The recipe's default.
    case normal
    case less
    case least
}
