"""Translations. ``python -m locales.extract`` brings the catalogues in line with the source."""
