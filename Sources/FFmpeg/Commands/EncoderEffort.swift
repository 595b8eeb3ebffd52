/// How much work a software encoder spends on a picture.
package enum EncoderEffort: Int, Sendable, Hashable, CaseIterable {
    /// What the recipe takes for right.
    case normal
    case less
    case least
}
