"""One file per model format: open it, say what it is, hand trees and linear models over as one internal record."""
