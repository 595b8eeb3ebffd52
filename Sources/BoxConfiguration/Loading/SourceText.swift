/// Lines and columns in the text of a file, counted as the YAML parser counts them.
enum SourceText {
    /// The location of the first byte that is not UTF-8.
    static func locationOfInvalidUTF8(_ bytes: [UInt8]) -> FileLocation {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var counter = Counter()
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { counter.pass(scalar) }
        return counter.location
    }

    /// The location of the first character that YAML does not allow, if there is one.
    static func locationOfControlCharacter(_ text: String) -> FileLocation? {
        var counter = Counter()
        for scalar in text.unicodeScalars {
            guard isAllowed(scalar.value) else { return counter.location }
            counter.pass(scalar)
        }
        return nil
    }

    /// The index of the scalar at `location`. `nil` for a location outside of the text.
    static func index(of location: FileLocation, in scalars: [Unicode.Scalar]) -> Int? {
        var counter = Counter()
        for (index, scalar) in scalars.enumerated() {
            if counter.location == location { return index }
            if location < counter.location { return nil }
            counter.pass(scalar)
        }
        return nil
    }

    private static func isAllowed(_ value: UInt32) -> Bool {
        switch value {
        case 0x09, 0x0A, 0x0D, 0x85, 0x20...0x7E, 0xA0...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }

    /// Lines end at CR LF, CR, LF, NEL, LS and PS.
    private struct Counter {
        private(set) var location = FileLocation(line: 1, column: 1)
        private var afterReturn = false

        mutating func pass(_ scalar: Unicode.Scalar) {
            switch scalar.value {
            case 0x0A where afterReturn: afterReturn = false
            case 0x0A, 0x0D, 0x85, 0x2028, 0x2029:
                location = FileLocation(line: location.line + 1, column: 1)
                afterReturn = scalar.value == 0x0D
            default:
                location = FileLocation(line: location.line, column: location.column + 1)
                afterReturn = false
            }
        }
    }
}
