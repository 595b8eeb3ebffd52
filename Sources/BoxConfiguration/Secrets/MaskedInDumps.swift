/// A value with secret parts. Interpolation, `dump`, a debugger or a failed expectation prints ``shown`` in place of
/// the fields.
protocol MaskedInDumps: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var shown: KeyValuePairs<String, String> { get }
}

extension MaskedInDumps {
    var maskedDescription: String {
        "\(Self.self)(" + shown.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + ")"
    }

    var maskedMirror: Mirror {
        Mirror(self, children: shown.map { (label: $0.key, value: $0.value as Any) }, displayStyle: .struct)
    }
}
