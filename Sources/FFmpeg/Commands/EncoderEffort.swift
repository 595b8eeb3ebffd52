/// How much work a software encoder spends on a picture.
public enum EncoderEffort: Int, Sendable, Hashable, CaseIterable {
    /// What the recipe takes for right.
    case normal
    case less
    case least

    /// The next faster one; `nil` for the fastest.
    public var faster: EncoderEffort? { EncoderEffort(rawValue: rawValue + 1) }
}
