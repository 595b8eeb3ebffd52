/// Decimal numbers with a unit, exact: nothing passes through floating point.
enum DecimalNotation {
    /// Reads an amount with its unit.
    ///
    /// - Parameters:
    ///   - units: Each unit's worth.
    ///   - what: For messages: `bitrate`.
    ///   - example: How one is written: `a bitrate such as 6M`.
    static func amount(
        _ text: String, units: [String: Int], what: String, example: String
    ) throws(NotationError) -> Int {
        let (number, unit) = split(text)
        guard !number.isEmpty else { throw NotationError("is no \(what); write \(example)") }
        if unit.isEmpty, scaled(number, by: 1) == 0 { throw NotationError("is no \(what); write \(example)") }
        guard !unit.isEmpty else { throw NotationError("has no unit; write \(example)") }
        guard let multiplier = units[String(unit)] else { throw NotationError("has an unknown unit; write \(example)") }
        guard let amount = scaled(number, by: multiplier), amount > 0 else {
            throw NotationError("is no \(what); write \(example)")
        }
        return amount
    }

    /// `text` (digits, at most one point) times `multiplier`, or nil when the text is no such
    /// number, the product is not whole, or it does not fit.
    static func scaled(_ text: Substring, by multiplier: Int) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = digits(parts[0]) else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: multiplier)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return product }
        guard parts[1].utf8.count <= 6, let fraction = digits(parts[1]) else { return nil }
        var power = 1
        for _ in parts[1].utf8 { power *= 10 }
        let (scaled, tooLarge) = fraction.multipliedReportingOverflow(by: multiplier)
        guard !tooLarge, scaled % power == 0 else { return nil }
        let (sum, sumOverflow) = product.addingReportingOverflow(scaled / power)
        return sumOverflow ? nil : sum
    }

    /// `value / unit` in decimals with up to three places; exact when the value allows it.
    static func text(_ value: Int, in unit: Int) -> String {
        let whole = value / unit
        let thousandths = (value % unit) * 1000 / unit
        guard thousandths != 0 else { return "\(whole)" }
        var fraction = String(thousandths + 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(whole).\(fraction)"
    }

    /// Splits `6000k` into its number and its unit.
    static func split(_ text: String) -> (number: Substring, unit: Substring) {
        let end = text.firstIndex { !($0.isASCII && $0.isNumber) && $0 != "." } ?? text.endIndex
        return (text[..<end], text[end...])
    }

    /// A plain run of ASCII digits.
    static func digits(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }
}
