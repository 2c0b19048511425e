"""What the sample files hold: how many rows of each kind. The generator follows it, and the tests count."""

from __future__ import annotations

# How many rows of each kind a file has: the phone column first (these add up to all rows), then the others.
PHONES_FA = {
    "local": 120,
    "persian_digits": 60,
    "arabic_digits": 15,
    "plus": 60,
    "double_zero": 35,
    "country_code": 25,
    "lost_zero": 30,
    "spaces": 40,
    "dashes": 30,
    "brackets": 5,
    "invisible_marks": 8,
    "trunk_zero": 5,
    "decimal_zero": 6,
    "landline": 12,
    "duplicate": 21,
    "empty": 7,
    "too_short": 5,
    "too_long": 3,
    "not_assigned": 3,
    "scientific": 3,
    "several_numbers": 3,
    "not_a_number": 2,
    "extension": 1,
    "decimal_damaged": 1,
}
PHONES_EN = {
    "local": 30,
    "plus": 30,
    "double_zero": 12,
    "country_code": 6,
    "lost_zero": 8,
    "spaces": 8,
    "dashes": 6,
    "trunk_zero": 2,
    "landline": 4,
    "duplicate": 6,
    "empty": 2,
    "too_short": 2,
    "too_long": 1,
    "not_assigned": 1,
    "scientific": 1,
    "several_numbers": 1,
}
OTHERS_FA = {
    "without_name": 15,
    "arabic_letters": 60,
    "formula": 1,
    "line_break": 1,
    "invalid_email": 6,
    "jalali_date": 240,
    "gregorian_date": 130,
    "invalid_date": 4,
    "points": 260,
    "points_in_persian_digits": 90,
    "invalid_points": 5,
}
OTHERS_EN = {
    "without_name": 5,
    "arabic_letters": 0,
    "formula": 1,
    "line_break": 1,
    "invalid_email": 3,
    "jalali_date": 10,
    "gregorian_date": 70,
    "invalid_date": 3,
    "points": 80,
    "points_in_persian_digits": 0,
    "invalid_points": 3,
}
PHONES_XLSX = {"local": 50}
OTHERS_XLSX = {**dict.fromkeys(OTHERS_FA, 0), "gregorian_date": 40, "points": 40}

# Kinds of phone cells that are no number.
REFUSED = {
    "empty",
    "too_short",
    "too_long",
    "not_assigned",
    "scientific",
    "several_numbers",
    "not_a_number",
    "extension",
    "decimal_damaged",
}
