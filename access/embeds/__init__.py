"""Charts in other pages: what one shows, its row in the database, and the token that opens it.

Rights are those of the user who made the chart, asked anew each time.
The pages themselves belong to api and layouts.
"""
