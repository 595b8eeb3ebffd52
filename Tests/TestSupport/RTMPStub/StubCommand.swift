/// A command that a client sent.
package struct StubCommand: Sendable, Hashable {
    package var name: String
    /// The number of the call; 0 if the client wants no answer.
    package var transaction: Double
    /// The values after the number.
    package var values: [StubValue]
    /// The id of the message stream.
    package var stream: UInt32

    /// Reads the body of a command.
    ///
    /// - Throws: `Failed` if it does not begin with a name and a number, or is cut.
    init(_ body: [UInt8], stream: UInt32) throws {
        let values = try StubValue.decode(body)
        guard values.count >= 2, case .text(let name) = values[0], case .number(let transaction) = values[1] else {
            throw Failed("a command without a name or a number")
        }
        (self.name, self.transaction, self.stream) = (name, transaction, stream)
        self.values = Array(values.dropFirst(2))
    }

    /// The text at a place after the number; the command object is the first place.
    package func text(_ place: Int) -> String? { values.indices.contains(place) ? values[place].text : nil }
}
