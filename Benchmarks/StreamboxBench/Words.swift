import Foundation

func ms(_ seconds: Double) -> String { "\((seconds * 1000).formatted(1)) ms" }

/// Tells how far a bench is, in place of what it told before.
func show(_ text: String) { FileHandle.standardError.write(Data("\r\u{1B}[K\(text)\r".utf8)) }
