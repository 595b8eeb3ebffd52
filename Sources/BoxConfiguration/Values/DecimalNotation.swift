/// Exact decimal numbers with a unit, without floating point.
enum DecimalNotation {
    /// Parses a number with its unit, such as `2.5M`, and returns it in the base unit.
    ///
    /// - Parameters:
    ///   - units: The size of each unit in base units.
    ///   - quantity: What the number measures, for messages: `a bitrate`.
    ///   - expectedForm: The form that the value should have, for messages: `a bitrate such as 6M`.
    static func parse(
        _ text: String, units: [String: Int], quantity: String, expectedForm: String
    ) throws(ParseError) -> Int {
        let (number, unit) = split(text)
        guard !number.isEmpty else { throw ParseError("is not \(quantity); write \(expectedForm)") }
        if unit.isEmpty, scaled(number, by: 1) == 0 { throw ParseError("is not \(quantity); write \(expectedForm)") }
        guard !unit.isEmpty else { throw ParseError("has no unit; write \(expectedForm)") }
        guard let multiplier = units[String(unit)] else {
            throw ParseError("has an unknown unit; write \(expectedForm)")
        }
        guard let value = scaled(number, by: multiplier), value > 0 else {
            throw ParseError("is not \(quantity); write \(expectedForm)")
        }
        return value
    }

    /// Multiplies `text` (digits, at most one point) by `multiplier`.
    ///
    /// - Returns: `nil` if the text is not such a number, or the product is not whole or too large.
    static func scaled(_ text: Substring, by multiplier: Int) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = wholeNumber(parts[0]) else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: multiplier)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return product }
        guard parts[1].utf8.count <= 6, let fraction = wholeNumber(parts[1]) else { return nil }
        var power = 1
        for _ in parts[1].utf8 { power *= 10 }
        let (scaled, tooLarge) = fraction.multipliedReportingOverflow(by: multiplier)
        guard !tooLarge, scaled % power == 0 else { return nil }
        let (sum, sumOverflow) = product.addingReportingOverflow(scaled / power)
        return sumOverflow ? nil : sum
    }

    /// `value / unit` as a decimal number with up to three places.
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

    /// Parses a number that has ASCII digits only: no sign, no point.
    static func wholeNumber(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }
}
