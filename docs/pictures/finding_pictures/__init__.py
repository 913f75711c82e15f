"""The pictures of docs/findings: a fault, measured on the digits, beside its healthy twin."""
