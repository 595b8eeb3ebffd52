/// A value with secret parts: whatever prints it (interpolation, `dump`, a debugger, a failed
/// expectation) sees `shown` instead of the fields.
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
