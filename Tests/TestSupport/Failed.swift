import Foundation

/// The failure of a fixture, with one sentence that says why.
package struct Failed: Error, CustomStringConvertible, Sendable {
    package let description: String
    package init(_ description: String) { self.description = description }
}

func errnoText(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

func complain(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}
