"""The languages of a report: English stands in the code, the others in catalogues here."""

ENGLISH = "en"
LANGUAGES = (ENGLISH, "ja")
