/// A command message: its name, its transaction number, and its arguments.
struct Command {
    var name: String
    var transaction: Double
    var arguments: [AMF0]

    init(_ bytes: Bytes) throws(Violation) {
        var reader = AMF0Reader(bytes)
        guard case .string(let name) = try reader.next() else { throw .malformed }
        self.name = name
        transaction = reader.isAtEnd ? 0 : try reader.next().number ?? 0
        arguments = []
        while !reader.isAtEnd { arguments.append(try reader.next()) }
    }

    func argument(_ index: Int) -> AMF0? { index < arguments.count ? arguments[index] : nil }
}
